"""Ways to a chat network, behind one protocol (`base.Gateway`)."""
