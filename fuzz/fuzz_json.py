"""Any bytes whatever, read as JSON: a value or a MasonError, never anything else."""

from __future__ import annotations

import campaign
from reading import read_every_way, seeds

if __name__ == "__main__":
    campaign.main(lambda data: read_every_way(data, "json"), seeds("json"))
