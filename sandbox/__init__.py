"""The local workspace: plays Slack on this machine, for the demo and for the tests."""
