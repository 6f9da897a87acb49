"""Write the description and the page of it."""

from tools.openapi.files import made_files

if __name__ == "__main__":
    for path, text in made_files().items():
        path.write_text(text, "utf-8")
