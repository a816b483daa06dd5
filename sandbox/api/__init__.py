"""The Web API methods that a bot of this kind calls, by family; names of errors are Slack's."""
