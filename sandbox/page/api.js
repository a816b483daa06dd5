// The calls of the local workspace, as docs/sandbox.md describes them.

async function call(path, options) {
  try {
    const response = await fetch(path, options);
    const body = await response.json();
    return response.ok ? { ok: true, ...body } : { ok: false, error: `http_${response.status}`, ...body };
  } catch (problem) {
    return { ok: false, error: problem instanceof SyntaxError ? "unreadable_answer" : "connection_lost" };
  }
}

export function get(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  return call(`/client/${path}${search ? `?${search}` : ""}`, { headers: { Accept: "application/json" } });
}

export function post(path, body) {
  return call(`/client/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Calls back on each event for a person; answers a function that stops listening. */
export function listen(user, after, onEvent, onConnection) {
  const source = new EventSource(`/client/events?${new URLSearchParams({ user, after: String(after) })}`);
  source.onmessage = (event) => onEvent(JSON.parse(event.data));
  source.onopen = () => onConnection(true);
  source.onerror = () => onConnection(false);
  return () => source.close();
}

export async function upload(user, file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return post("upload", { user, name: file.name, content_base64: btoa(binary) });
}

const SENTENCES = {
  operation_timeout: "the app did not answer within 3 seconds",
  dispatch_failed: "the app is not connected, or refused the request",
  connection_lost: "the local workspace does not answer; is it still running?",
  app_not_connected: "the app is not connected",
  expired_trigger_id: "the app answered too late",
};

/** An error name with a few words on what it means. */
export function explain(answer) {
  const name = answer.error ?? "unknown_error";
  return SENTENCES[name] ? `${SENTENCES[name]} (${name})` : name;
}
