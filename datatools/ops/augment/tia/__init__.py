"""Text image augmentation, a module a kind of warp."""
