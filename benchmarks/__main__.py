"""All measurements, as Markdown: `make bench`."""

from benchmarks import over_node, without_network

over_node.main()
print()
without_network.main()
