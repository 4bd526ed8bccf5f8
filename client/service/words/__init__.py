"""English sentences by message key, one module for each area (see `client.service.text`)."""
