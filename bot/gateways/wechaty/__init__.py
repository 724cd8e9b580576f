"""WeChat by way of a Wechaty gateway (https://wechaty.js.org): the only package that imports wechaty's parts.

It stands on the puppet service's gRPC stubs (`PuppetStub`), which need no shims on any Python from 3.11 on,
and keeps its own loop over the event stream (gateway.py). The layers above the stubs (wechaty, wechaty_puppet
and wechaty_puppet_service) are not imported: they need four shims, log the token, read it from TOKEN, write
folders where they run and lose messages.
"""

from bot.gateways.wechaty.gateway import WechatyGateway

__all__ = ["WechatyGateway"]
