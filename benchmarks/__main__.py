"""All measurements, as Markdown: `make bench`."""

from benchmarks import care, over_node, without_network

over_node.main()
print()
without_network.main()
print()
care.main()
