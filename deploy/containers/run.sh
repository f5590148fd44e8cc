#!/usr/bin/env bash
# Sets up the engine and the images, runs the given command among them, and stops the engine again.
#   PYTHON=.venv/bin/python deploy/containers/run.sh COMMAND [ARG ..]
set -euo pipefail
here=$(dirname "$0")

"$here/engine.sh" install
eval "$("$here/engine.sh" start)"
trap '"$here/engine.sh" stop' EXIT
"$here/images.sh"
"$@"
