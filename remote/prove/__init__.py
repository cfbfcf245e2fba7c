"""One command that proves on a device what could not be proved elsewhere, and packs what it found."""
