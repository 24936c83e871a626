"""The review cycle: a campaign is opened, reviewers decide on its items, and the campaign is signed off."""
