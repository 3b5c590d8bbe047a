"""The page that shows a running proxy: plain HTML, CSS and JavaScript, served as they stand here."""
