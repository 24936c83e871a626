"""The review cycle: a campaign is opened, people decide item by item, and somebody signs for the whole."""
