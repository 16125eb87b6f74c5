"""The checks of `./dev tidy`: source.py reads C, checks.py has our own rules, external.py runs compilers and LLVM's
tools, comments.py brings comments to width."""
