"""From text to searchable memory; a cache that can always be rebuilt."""

import os

# A search multiplies one vector with a matrix. A second thread gains little there, and
# where others want the processor, waiting for it costs several times the product.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
