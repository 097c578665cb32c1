// Times in the zone of the member who looks, and Slack's date tokens.

const cache = new Map();

function formatter(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!cache.has(key)) cache.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return cache.get(key);
}

/** The wall time's parts of a moment (Unix seconds) in a zone, as strings. */
export function partsOf(seconds, zone) {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const parts = formatter(zone, options).formatToParts(seconds * 1000);
  return Object.fromEntries(parts.map((part) => [part.type, part.value]));
}

export const clockTime = (seconds, zone) => formatter(zone, { hour: "2-digit", minute: "2-digit" }).format(seconds * 1000);
export const clockSeconds = (seconds, zone) => formatter(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(seconds * 1000);
export const longDay = (seconds, zone) => formatter(zone, { weekday: "long", day: "numeric", month: "long" }).format(seconds * 1000);
export const fullDay = (seconds, zone) => formatter(zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(seconds * 1000);

/** The calendar day in a zone, comparable as a string. */
export function dayKey(seconds, zone) {
  const { year, month, day } = partsOf(seconds, zone);
  return `${year}-${month}-${day}`;
}

function relativeDay(seconds, zone, now) {
  const names = { [-1]: "yesterday", 0: "today", 1: "tomorrow" };
  const days = Math.round((Date.parse(dayKey(seconds, zone)) - Date.parse(dayKey(now, zone))) / 86_400_000);
  return names[days];
}

function ago(seconds, now) {
  const past = now - seconds;
  const [count, unit] = [[86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]]
    .map(([size, name]) => [Math.floor(Math.abs(past) / size), name]).find(([found]) => found > 0) ?? [0, "second"];
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return past >= 0 ? `${words} ago` : `in ${words}`;
}

const DATES = {
  date_num: (s, z) => dayKey(s, z),
  date_slash: (s, z) => formatter(z, { day: "2-digit", month: "2-digit", year: "numeric" }).format(s * 1000),
  date: (s, z) => formatter(z, { day: "numeric", month: "long", year: "numeric" }).format(s * 1000),
  date_short: (s, z) => formatter(z, { day: "numeric", month: "short", year: "numeric" }).format(s * 1000),
  date_long: (s, z) => fullDay(s, z),
  time: clockTime,
  time_secs: clockSeconds,
};

/** The text of `<!date^seconds^format|fallback>` for a reader in this zone, or the fallback. */
export function dateToken(seconds, format, fallback, zone, now) {
  if (!Number.isFinite(seconds)) return fallback;
  return format.replace(/\{(\w+)\}/g, (whole, name) => {
    if (name === "ago") return ago(seconds, now);
    if (name.endsWith("_pretty")) return relativeDay(seconds, zone, now) ?? DATES[name.replace("_pretty", "")]?.(seconds, zone) ?? whole;
    return DATES[name]?.(seconds, zone) ?? whole;
  });
}

/** `YYYY-MM-DDTHH:MM` in a zone, as datetime-local fields want it. */
export function toLocalField(seconds, zone) {
  const { year, month, day, hour, minute } = partsOf(seconds, zone);
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

/** The moment (Unix seconds) when the wall clock of a zone shows this datetime-local value. */
export function fromLocalField(text, zone) {
  const wanted = Date.parse(`${text}Z`) / 1000;
  let guess = wanted;
  for (let round = 0; round < 3; round += 1) {
    guess += wanted - Date.parse(`${toLocalField(guess, zone)}Z`) / 1000;
  }
  return guess;
}
