"""Writers of segment lists: the same spans for Kaldi, lhotse, NeMo, Audacity, Praat, diarization scorers, spreadsheets.

All times are seconds with six decimals, so that a sample of any usual rate is found again. Where clips were cut, the
lists of training tools (kaldi, lhotse, nemo) name the clips, which lie beside them; else parts of the recordings. Lists
of what happens when (audacity, textgrid, rttm) stand on the time of the recordings, and csv has both.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from datatools.core.records import Recording, Span

Marked = Sequence[tuple[Recording, Sequence[Span]]]
"""Recordings in the order of the set, each with its spans in order; there may be none."""

LABEL = "speech"


def files(form: str, marked: Marked) -> dict[str, bytes]:
    """Return the files of one form by their names. form: one of FORMS."""
    return {name: text.encode("utf-8", "backslashreplace") for name, text in FORMS[form](marked).items()}


def cell(text: str) -> str:
    """Text as one cell of a CSV line."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _rttm(marked: Marked) -> dict[str, str]:
    """NIST's rich transcription time marks: ten fields."""
    ids = _tokens(r.id for r, _ in marked)
    lines = [
        f"SPEAKER {ids[recording.id]} 1 {s.start_s:.6f} {s.end_s - s.start_s:.6f} "
        f"<NA> <NA> {LABEL} {s.score:.3f} <NA>\n"
        for recording, spans in marked
        for s in spans
    ]
    return {"segments.rttm": "".join(lines)}


def _csv(marked: Marked) -> dict[str, str]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "recording", "start", "end", "duration", "score", "clip"])
    for recording, spans in marked:
        for s in spans:
            times = (f"{s.start_s:.6f}", f"{s.end_s:.6f}", f"{s.end_s - s.start_s:.6f}", f"{s.score:.3f}")
            writer.writerow([s.id, recording.id, *times, s.clip])
    return {"segments.csv": out.getvalue()}


def _audacity(marked: Marked) -> dict[str, str]:
    """Audacity's label track: a file a recording."""
    return {
        f"{recording.id}.txt": "".join(f"{s.start_s:.6f}\t{s.end_s:.6f}\t{LABEL}\n" for s in spans)
        for recording, spans in marked
    }


def _textgrid(marked: Marked) -> dict[str, str]:
    """Praat's TextGrid, long form: one tier of intervals without gaps, a file a recording."""
    return {f"{recording.id}.TextGrid": _grid(recording, spans) for recording, spans in marked}


def _grid(recording: Recording, spans: Sequence[Span]) -> str:
    intervals: list[tuple[float, float, str]] = []
    at = 0.0
    for s in spans:
        if s.start_s > at:
            intervals.append((at, s.start_s, ""))
        intervals.append((s.start_s, s.end_s, LABEL))
        at = s.end_s
    if at < recording.duration_s:
        intervals.append((at, recording.duration_s, ""))
    end = f"{recording.duration_s:.6f}"
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}"]
    lines += ["tiers? <exists>", "size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"']
    lines += [f'        name = "{LABEL}"', "        xmin = 0", f"        xmax = {end}"]
    lines.append(f"        intervals: size = {len(intervals)}")
    for number, (start, stop, text) in enumerate(intervals, start=1):
        lines += [f"        intervals [{number}]:", f"            xmin = {start:.6f}"]
        lines += [f"            xmax = {stop:.6f}", f'            text = "{text}"']
    return "\n".join(lines) + "\n"


def _kaldi(marked: Marked) -> dict[str, str]:
    """A data folder of Kaldi: sorted by bytes, no blanks in ids."""
    ids = _tokens(r.id for r, _ in marked)
    spans = [s for _, of_one in marked for s in of_one]
    names = _tokens(s.id for s in spans)
    utterances = {names[s.id]: s for s in spans}
    times = {name: f"{s.end_s - s.start_s:.6f}" for name, s in utterances.items()}
    if _has_clips(spans):
        recordings = {name: s.clip for name, s in utterances.items()}
        lengths = times
    else:
        recordings = {ids[r.id]: r.path for r, of_one in marked if of_one}
        lengths = {ids[r.id]: f"{r.duration_s:.6f}" for r, of_one in marked if of_one}
    made = {
        "wav.scp": _lines(recordings),
        "reco2dur": _lines(lengths),
        "utt2dur": _lines(times),
        "utt2spk": _lines({name: name for name in utterances}),
        "spk2utt": _lines({name: name for name in utterances}),
    }
    if not _has_clips(spans):
        where = {n: f"{ids[s.recording.id]} {s.start_s:.6f} {s.end_s:.6f}" for n, s in utterances.items()}
        made["segments"] = _lines(where)
    return {f"kaldi/{name}": text for name, text in made.items()}


def _lines(table: Mapping[str, str]) -> str:
    return "".join(
        f"{key} {table[key]}\n" for key in sorted(table, key=lambda k: k.encode("utf-8", "backslashreplace"))
    )


def _lhotse(marked: Marked) -> dict[str, str]:
    """Recordings and supervisions of lhotse, and cuts that join them, JSON lines."""
    spans = [s for _, of_one in marked for s in of_one]
    recordings, supervisions, cuts = [], [], []
    if not _has_clips(spans):
        recordings = [_lhotse_recording(r.id, r.path, r.sr, r.channels, r.frames) for r, _ in marked]
    for s in spans:
        r = s.recording
        start, length = (0.0, s.stop - s.first) if s.clip else (s.start_s, s.stop - s.first)
        within = _lhotse_recording(s.id, s.clip, r.sr, r.channels, length) if s.clip else None
        if within:
            recordings.append(within)
        speech = {
            "id": s.id, "recording_id": s.id if within else r.id, "start": start, "duration": length / r.sr,
            "channel": list(range(r.channels)) if r.channels > 1 else 0, "custom": {"score": round(s.score, 3)},
        }  # fmt: skip
        supervisions.append(speech)
        cuts.append(
            {
                "id": s.id,
                "start": start,
                "duration": length / r.sr,
                "channel": speech["channel"],
                "supervisions": [{**speech, "start": 0.0}],
                "recording": within or _lhotse_recording(r.id, r.path, r.sr, r.channels, r.frames),
                "type": "MultiCut" if r.channels > 1 else "MonoCut",
            }
        )
    made = {"recordings": recordings, "supervisions": supervisions, "cuts": cuts}
    return {f"lhotse/{name}.jsonl": _json_lines(rows) for name, rows in made.items()}


def _lhotse_recording(name: str, path: str, sr: int, channels: int, frames: int) -> dict[str, object]:
    every = list(range(channels))
    return {
        "id": name, "sources": [{"type": "file", "channels": every, "source": path}], "sampling_rate": sr,
        "num_samples": frames, "duration": frames / sr, "channel_ids": every,
    }  # fmt: skip


def _nemo(marked: Marked) -> dict[str, str]:
    """NeMo's manifest: a JSON line an utterance, its text to be filled in."""
    rows = [
        {
            "audio_filepath": s.clip or recording.path,
            "offset": 0.0 if s.clip else round(s.start_s, 6),
            "duration": round(s.end_s - s.start_s, 6),
            "text": "",
        }
        for recording, spans in marked
        for s in spans
    ]
    return {"nemo.jsonl": _json_lines(rows)}


def _json_lines(rows: Iterable[object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _has_clips(spans: Sequence[Span]) -> bool:
    return any(s.clip for s in spans)


def _tokens(ids: Iterable[str]) -> dict[str, str]:
    """Names without blanks and slashes for formats that cannot hold them; two that fall together get a number."""
    taken: dict[str, str] = {}
    used: set[str] = set()
    for one in ids:
        if one in taken:
            continue
        token = plain = re.sub(r"[^\w.+=-]", "_", one.replace("/", "-")) or "_"
        number = 1
        while token in used:
            number += 1
            token = f"{plain}~{number}"
        used.add(token)
        taken[one] = token
    return taken


FORMS: Mapping[str, Callable[[Marked], dict[str, str]]] = {
    "lhotse": _lhotse,
    "kaldi": _kaldi,
    "audacity": _audacity,
    "rttm": _rttm,
    "csv": _csv,
    "textgrid": _textgrid,
    "nemo": _nemo,
}
"""The forms in which segments can be listed."""
