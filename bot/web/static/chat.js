// The chat page: lines as they are said, who speaks in this tab, quoting, mentioning, unread dots.
"use strict";
(() => {
  const page = document.querySelector("main.chat");
  if (!page) return;
  const { room, me } = page.dataset;
  const lines = page.querySelector("#lines");
  const scroll = page.querySelector(".scroll");
  const form = page.querySelector("form.compose");
  const text = form.elements.text;
  const find = (selector) => form.querySelector(selector);

  // -- who: a tab stays the person it was, whatever other tabs are ------------------------------------
  const who = page.querySelector("form.who");
  const kept = sessionStorage.getItem("me");
  if ("chosen" in page.dataset) {
    sessionStorage.setItem("me", me);
  } else if (kept && kept !== me) {
    location.replace(`/chat?${new URLSearchParams({ room, me: kept })}`);
    return;
  }
  who.classList.add("scripted");
  who.elements.me.addEventListener("change", () => {
    const isNew = who.elements.me.value === "new";
    who.classList.toggle("is-new", isNew);
    if (isNew) who.elements.name.focus();
    else who.submit();
  });

  // -- lines: each once, in order of time, wherever it came from --------------------------------------
  const atBottom = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const toBottom = () => { scroll.scrollTop = scroll.scrollHeight; };
  function add(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    const stay = atBottom();
    const before = scroll.scrollHeight - scroll.scrollTop;
    for (const line of box.content.querySelectorAll("article.line")) {
      if (document.getElementById(line.id)) continue;
      let next = null;
      for (let old = lines.lastElementChild; old; old = old.previousElementSibling) {
        if (Number(old.dataset.at) <= Number(line.dataset.at)) break;
        next = old;
      }
      lines.insertBefore(line, next);
      for (const picture of line.querySelectorAll("img")) {
        picture.addEventListener("load", () => { if (stay) toBottom(); });
      }
    }
    if (stay) toBottom();
    return before;
  }
  async function fetchLines(before) {
    const answer = await fetch(page.dataset.lines + (before ? `&before=${before}` : ""));
    if (answer.ok) return answer;
    if (answer.status === 401) location.reload();
    return null;
  }
  async function catchUp() {
    const answer = await fetchLines("");
    if (answer) add(await answer.text());
  }
  const older = page.querySelector(".older");
  older.addEventListener("click", async () => {
    const first = lines.firstElementChild;
    const answer = await fetchLines(first ? first.dataset.at : "");
    if (!answer) return;
    const before = add(await answer.text());
    scroll.scrollTop = scroll.scrollHeight - before;
    older.hidden = answer.headers.get("X-Older") !== "1";
  });

  // -- unread: what was said in other groups since this tab last looked there --------------------------
  const doors = page.querySelectorAll(".rooms a");
  const seen = (name) => Number(sessionStorage.getItem(`seen:${name}`));
  function mark(name, unread) {
    for (const door of doors) {
      if (door.dataset.room === name) door.querySelector(".unread").hidden = !unread;
    }
  }
  function looked() {
    sessionStorage.setItem(`seen:${room}`, String(Date.now()));
  }
  for (const door of doors) {
    const name = door.dataset.room;
    if (!seen(name)) sessionStorage.setItem(`seen:${name}`, String(Date.now()));
    else if (name !== room && Number(door.dataset.last) > seen(name)) mark(name, true);
    if (name === room) door.scrollIntoView({ block: "nearest", inline: "center" });
  }
  looked();

  // -- live -------------------------------------------------------------------------------------------
  const offline = page.querySelector(".offline");
  let events = null;
  function listen() {
    if (events || document.hidden) return;
    events = new EventSource(page.dataset.events);
    events.addEventListener("hello", (event) => {
      offline.hidden = true;
      catchUp();
      for (const [name, at] of Object.entries(JSON.parse(event.data))) {
        if (name !== room && at > seen(name)) mark(name, true);
      }
    });
    events.addEventListener("again", catchUp);
    events.addEventListener("line", (event) => { add(event.data); looked(); });
    events.addEventListener("elsewhere", (event) => mark(event.data, true));
    events.addEventListener("error", () => {
      offline.hidden = false;
      if (events && events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
    });
  }
  // A browser grants a host six connections over all its tabs, and every tab is a person: a tab that nobody
  // sees gives its own back, and catches up when it is looked at again.
  function rest() {
    if (events) events.close();
    events = null;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  listen();

  // -- what is quoted and attached ----------------------------------------------------------------------
  const quoting = find(".quoting");
  function quote(id, words) {
    form.elements.quote.value = id;
    quoting.querySelector("span").textContent = words;
    quoting.hidden = !id;
  }
  lines.addEventListener("click", (event) => {
    const button = event.target.closest("button.quote");
    if (!button) return;
    const line = button.closest("article");
    quote(line.dataset.id, `${line.querySelector(".by b").textContent}：${button.dataset.text}`);
    text.focus();
  });
  quoting.querySelector("button").addEventListener("click", () => { quote("", ""); text.focus(); });

  const attached = find(".attached");
  const file = form.elements.picture;
  function showAttached() {
    const picture = attached.querySelector("img");
    if (picture.src) URL.revokeObjectURL(picture.src);
    attached.hidden = !file.files.length;
    if (file.files.length) picture.src = URL.createObjectURL(file.files[0]);
    else picture.removeAttribute("src");
  }
  file.addEventListener("change", () => { showAttached(); text.focus(); });
  attached.querySelector("button").addEventListener("click", () => { file.value = ""; showAttached(); });
  text.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    file.files = event.clipboardData.files;
    showAttached();
  });

  // -- mentioning: "@" opens the list of names -----------------------------------------------------------
  const list = find(".names");
  const names = JSON.parse(list.dataset.names);
  let chosen = 0;
  const typed = () => /@([^@\s]*)$/.exec(text.value.slice(0, text.selectionStart));
  function offer() {
    const found = typed();
    const fitting = found ? names.filter((name) => name.includes(found[1]) && name !== found[1]).slice(0, 8) : [];
    chosen = 0;
    list.replaceChildren(...fitting.map((name, index) => {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.id = `name-${index}`;
      item.textContent = name;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); insert(name); });
      return item;
    }));
    list.hidden = !fitting.length;
    point();
  }
  function point() {
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
    if (list.hidden) text.removeAttribute("aria-activedescendant");
    else text.setAttribute("aria-activedescendant", `name-${chosen}`);
  }
  function insert(name) {
    const start = typed().index;
    const rest = text.value.slice(text.selectionStart);
    text.setRangeText(`@${name} `, start, text.value.length - rest.length, "end");
    offer();
    text.focus();
  }
  text.addEventListener("blur", () => { list.hidden = true; });

  // -- typing and sending ----------------------------------------------------------------------------------
  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 160)}px`;
  }
  text.addEventListener("input", () => { grow(); offer(); });
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (!list.hidden && ["ArrowDown", "ArrowUp", "Enter", "Tab", "Escape"].includes(event.key)) {
      event.preventDefault();
      const count = list.children.length;
      if (event.key === "ArrowDown") chosen = (chosen + 1) % count;
      else if (event.key === "ArrowUp") chosen = (chosen + count - 1) % count;
      else if (event.key === "Escape") list.hidden = true;
      else { insert(list.children[chosen].textContent); return; }
      point();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape" && form.elements.quote.value) {
      quote("", "");
    }
  });
  const failed = find(".failed");
  function complain(words) {
    failed.textContent = words;
    failed.hidden = !words;
  }
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (!text.value.trim() && !file.files.length) event.preventDefault();
    else complain("");
  });
  // The form is emptied as soon as it is on its way, so that the next line can be begun; what could not be
  // sent comes back, unless something new stands there by then.
  let sent = null;
  form.addEventListener("htmx:beforeSend", () => {
    const held = new DataTransfer();
    for (const one of file.files) held.items.add(one);
    sent = { text: text.value, id: form.elements.quote.value, words: quoting.querySelector("span").textContent, held };
    text.value = "";
    file.value = "";
    grow();
    showAttached();
    quote("", "");
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) {
      toBottom();
      return;
    }
    if (sent && !text.value && !file.files.length) {
      text.value = sent.text;
      file.files = sent.held.files;
      grow();
      showAttached();
      quote(sent.id, sent.words);
    }
    complain(event.detail.xhr.status ? event.detail.xhr.responseText : "没有发出去：连不上机器人。");
  });
  toBottom();
})();
