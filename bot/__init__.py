"""The process: gateways, intake, outbox, timers, pages, command line."""
