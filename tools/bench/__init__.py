"""The benchmark behind `make bench`: what a send costs, measured against a bare worker.

A machine that is shared or busy makes every absolute number doubtful, so this worker runs beside
a bare JavaScript worker that asks D1 and the mail binding for the same things and does nothing
else. Both get the same load in short turns; what differs between them is what this code costs.
"""

import sys

from tools.prepare import ROOT

# The bench takes the store's statements and makes a credential with the worker's own code.
sys.path.append(str(ROOT / "src"))
