"""The clients' side: connections, requests as they come in and answers as they go out."""
