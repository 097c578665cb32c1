// The page's line to its own server: one stream in, small POSTs out.

/** Follow what one member sees; `take(update)` is called for each update, `onState(isOnline, isOver)` when the line changes. */
export function follow(member, take, onState) {
  const source = new EventSource(`/sandbox/stream?as=${encodeURIComponent(member)}`);
  source.addEventListener("message", (event) => {
    onState(true);
    take(JSON.parse(event.data));
  });
  source.addEventListener("error", () => onState(false, source.readyState === EventSource.CLOSED));
  return () => source.close();
}

/** Tell the server what the member did; rejects with a sentence when it can't be done. */
export async function post(path, body) {
  const answer = await fetch(`/sandbox/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.problem ?? `The sandbox answered ${answer.status}.`);
  return result;
}

/** Upload a file that the member chose in a form; resolves to its id and name. */
export async function upload(member, file) {
  const query = new URLSearchParams({ as: member, name: file.name });
  const answer = await fetch(`/sandbox/upload?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
  });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.problem ?? `The sandbox answered ${answer.status}.`);
  return result;
}
