#!/usr/bin/env python3
"""Microsoft's Python SDK against the twin API: tests/api/sdk/sdk_python.py, run by an interpreter that has the SDK. `./dev test`
fetches it into build/sdk; where it could not, this is skipped."""
import os
import subprocess
import unittest

import adt
import gemel

PYTHON = gemel.SOURCE / "build/sdk/python/venv/bin/python"
FETCHED = gemel.SOURCE / "build/sdk/python/fetched"


@unittest.skipUnless(PYTHON.exists() and FETCHED.exists(), "the SDK is not there: ./dev deps test")
class Python(adt.Case):
    def test_every_operation(self):
        server = self.serve({"endpoints": {"sink": {"file": {"path": "events.ndjson"}}}}, jobs={"files": "."})
        process = subprocess.run([PYTHON, gemel.SOURCE / "tests/api/sdk/sdk_python.py"], capture_output=True, text=True, timeout=300, check=False,
                                 env={**os.environ, "PYTHONPATH": "", "GEMEL_URL": server.url, "GEMEL_TOKEN": server.token,
                                      "GEMEL_AUTHORITY": str(server.authority), "GEMEL_ENDPOINT": "sink",
                                      "GEMEL_FOLDER": str(self.folder)})
        self.assertEqual(0, process.returncode, process.stdout + process.stderr)


if __name__ == "__main__":
    gemel.main()
