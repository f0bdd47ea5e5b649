/* A short two-tone call for a new critical alert, unless muted. */
import {keep, Store} from './store.js';

export const muted = new Store(keep.get('muted', false));
muted.watch((v) => keep.set('muted', v));

let audio = null;

export function chime() {
	if (muted.get()) return;
	audio ??= new AudioContext();
	[880, 660].forEach((pitch, i) => {
		const tone = audio.createOscillator(), volume = audio.createGain();
		const from = audio.currentTime + i * 0.22;
		tone.frequency.value = pitch;
		volume.gain.setValueAtTime(0.0001, from);
		volume.gain.exponentialRampToValueAtTime(0.18, from + 0.02);
		volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.2);
		tone.connect(volume).connect(audio.destination);
		tone.start(from);
		tone.stop(from + 0.22);
	});
}
