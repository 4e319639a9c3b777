"""What a .tflite file weighs on its way to a tablet, where packages are zipped."""

import io
import pathlib
import zipfile


def zip_bytes(path: pathlib.Path) -> int:
    """Returns the size of a zip archive that holds the file and nothing else.

    Args:
        path: of the file.

    Returns:
        bytes of the whole archive, DEFLATE at its highest level.
    """
    archive = io.BytesIO()
    entry = zipfile.ZipInfo(path.name)
    with zipfile.ZipFile(archive, "w") as folder:
        folder.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return len(archive.getvalue())
