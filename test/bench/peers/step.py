"""The plan step as the Custom Pod Autoscaler runs one: a process for every step, JSON in and out."""

import json
import sys

from rates import wanted

step = json.load(sys.stdin)
numbers = wanted(step["sources"], [node["name"] for node in step["topology"]["nodes"]])
json.dump({"nodes": {name: {"parallelism": number} for name, number in numbers.items()}}, sys.stdout)
