"""What an artifact is made from: pinned before, recorded after."""
