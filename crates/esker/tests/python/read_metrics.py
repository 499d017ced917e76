"""Reads /metrics as Prometheus does, and prints what there is: each family's name, kind and number of samples."""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

base, authorization = sys.argv[1:]
request = urllib.request.Request(f"{base}/metrics", headers={"Authorization": authorization})
with urllib.request.urlopen(request, timeout=60) as answer:
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4"), answer.headers
    families = list(text_string_to_metric_families(answer.read().decode()))
assert families, "nothing is counted"
for family in families:
    assert family.documentation, family
    print(family.name, family.type, len(family.samples))
