"""Every figure that is shown of the tickets: digest, picture, pages, chat and exports. docs/figures.md."""
