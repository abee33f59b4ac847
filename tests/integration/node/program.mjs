// Calls the Message resource through the twilio package, as the Python program in ../twilio_clients.py does, so
// that each can replay what the other recorded. Usage: node program.mjs URL ACCOUNT TOKEN SERVICE CHANNEL ATTRIBUTES
// Prints as JSON: the steps, how many requests the package made, and where it connected to.
import net from "node:net";
import twilio from "twilio";

const [url, account, token, service, channel, attributes] = process.argv.slice(2);
const bodies = ["1 + 1 = 2", "é, 世界", "a & b=c; 100 %", "", "line\nbreak\ttab", "{not: json}", "+&é"];

const connected = new Set();
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const { host } = Array.isArray(args[0]) ? args[0][0] : args[0];
  connected.add(host);
  if (host !== "127.0.0.1") throw new Error(`the test lets nobody go to ${host}`);
  return connect.apply(this, args);
};

const client = twilio(account, token);
client.chat.baseUrl = url;
const messages = client.chat.v1.services(service).channels(channel).messages;

let asked = 0;
const http = client.httpClient;
const request = http.request.bind(http);
http.request = (options) => {
  asked += 1;
  return request(options);
};

const steps = [];
const step = (call, result) => steps.push([call, result]);

async function thereAndBack() {
  const pages = [];
  let page = await messages.page({ pageSize: 3 });
  for (let following; (following = await page.nextPage()); page = following) pages.push(page.instances);
  for (; page; page = await page.previousPage()) pages.push(page.instances);
  return pages;
}

function stream(options) {
  const seen = [];
  return new Promise((resolve, reject) => {
    const done = (error) => (error ? reject(error) : resolve(seen));
    messages.each({ ...options, callback: (message) => seen.push(message), done });
  });
}

async function error(call) {
  try {
    await call();
  } catch ({ status, code }) {
    return { status, code };
  }
  throw new Error("no error came");
}

async function program() {
  const sids = [];
  for (const [at, body] of bodies.entries()) {
    const made = await messages.create({ body, from: "alice", attributes });
    sids.push(made.sid);
    step(`create ${at}`, made);
  }
  step("create, all by default", await messages.create({ body: "last" }));
  step("list", await messages.list());
  step("list by twos", await messages.list({ pageSize: 2 }));
  step("list five by twos", await messages.list({ limit: 5, pageSize: 2 }));
  step("list three", await messages.list({ limit: 3 }));
  step("list 5000", await messages.list({ limit: 5000 }));
  step("list backwards", await messages.list({ order: "desc", pageSize: 3 }));
  step("stream", await stream({ pageSize: 3 }));
  step("pages", await thereAndBack());
  step("fetch", await messages(sids[2]).fetch());
  step("update body", await messages(sids[0]).update({ body: "é + &" }));
  step("update attributes", await messages(sids[0]).update({ attributes }));
  step("update nothing", await messages(sids[0]).update());
  step("update to empty", await messages(sids[3]).update({ body: "" }));
  step("fetch updated", await messages(sids[0]).fetch());
  step("delete", await messages(sids[1]).remove());
  step("fetch deleted", await error(() => messages(sids[1]).fetch()));
  step("list after", await messages.list({ limit: 20 }));
}

let failure = null;
try {
  await program();
} catch (caught) {
  failure = { message: String(caught.message), status: caught.status, after: steps.at(-1)?.[0] };
}
console.log(JSON.stringify({ steps, asked, connected: [...connected], failure }));
