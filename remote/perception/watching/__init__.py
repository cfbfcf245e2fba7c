"""What the worker looks out for (remote.protocol.Watch): pure rules, one a file, joined by watcher.Watcher."""
