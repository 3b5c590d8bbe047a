import pytest
from tests.server.lane.test_through_law import *
import tests.server.lane.test_through_law as m
def r(n, cc=b"Cache-Control: max-age=60"):
    return response(cc, b"Content-Range: bytes 0-29/100", b'ETag: "a"', start=b"HTTP/1.1 206 Partial Content", body=b"x"*n)
@pytest.mark.parametrize("cc", [b"Cache-Control: max-age=60", b"Cache-Control: max-age=60, must-understand", b"X: y"])
async def test_206(clock, cc):
    R = request(b"Range: lines=0-29")
    piece = []
    for n in (31,31,31,31,30,30):
        piece += [("ask",0,R,0),("answer",0,r(n, cc),0)]
    clock.now = start = 1_700_000_000.25
    short, hits = await played(clock, piece, short=True)
    clock.now = start
    long, _ = await played(clock, piece, short=False)
    print("HITS", hits)
    assert short == long
