// Pages that follow what happens: elements say what they wait for, e.g. hx-trigger="live:tickets from:body".
// A browser grants a host six connections over all its tabs: a tab that nobody sees gives its own back.
"use strict";
(() => {
  const topics = ["tickets", "gateway", "replies", "exports"];
  const tell = (topic) => document.body.dispatchEvent(new CustomEvent(`live:${topic}`));
  let source = null;
  function listen() {
    if (source || document.hidden) return;
    source = new EventSource("/live");
    // Also the first time: something may have happened since the page was written.
    source.addEventListener("hello", () => topics.forEach(tell));
    for (const topic of topics) source.addEventListener(topic, () => tell(topic));
    source.addEventListener("error", () => {
      // Closed for good: signed out, or the bot restarts behind a proxy. Try anew later.
      if (source && source.readyState === EventSource.CLOSED) {
        rest();
        setTimeout(listen, 5000);
      }
    });
  }
  function rest() {
    if (source) source.close();
    source = null;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  listen();
})();
