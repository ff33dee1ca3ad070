"""Machine code of a loop: vectors of lanes on a CPU through LLVM, threads on CUDA, and their cache.

Nothing knows what is computed.
"""
