"""From Wikisource to running text: a well-mannered client, the volumes' lists of articles, pages, their text."""
