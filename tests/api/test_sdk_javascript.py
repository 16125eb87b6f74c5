#!/usr/bin/env python3
"""Microsoft's JavaScript SDK against the twin API: tests/api/sdk/sdk.test.cjs, run by node. `./dev test` fetches the SDK into
build/sdk; where it could not, this is skipped.

SDKs of other languages reach a Gemel the same way: the endpoint is its URL, the credential any object that gives a fixed token,
and the authority of DATA/tls/ca.pem is trusted by the means of the language: NODE_EXTRA_CA_CERTS here, `connection_verify` of
the Python client (test_sdk_python.py), a trust store for Java.
"""
import os
import shutil
import subprocess
import unittest

import adt
import gemel

MODULES = gemel.SOURCE / "build/sdk/javascript/node_modules"
NODE = shutil.which("node")


@unittest.skipUnless(NODE and (MODULES / "@azure/digital-twins-core").is_dir(), "node or the SDK is not there: ./dev deps test")
class JavaScript(adt.Case):
    def test_every_operation(self):
        server = self.serve({"endpoints": {"sink": {"file": {"path": "events.ndjson"}}}})
        process = subprocess.run([NODE, "--test", str(gemel.SOURCE / "tests/api/sdk/sdk.test.cjs")], capture_output=True, text=True,
                                 timeout=300, check=False,
                                 env={**os.environ, "NODE_PATH": str(MODULES), "NODE_EXTRA_CA_CERTS": str(server.authority),
                                      "GEMEL_URL": server.url, "GEMEL_TOKEN": server.token, "GEMEL_ENDPOINT": "sink"})
        self.assertEqual(0, process.returncode, process.stdout + process.stderr)


if __name__ == "__main__":
    gemel.main()
