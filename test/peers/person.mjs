// A person with a browser: opens the page of a device code and approves or declines.
//
//   NODE_EXTRA_CA_CERTS=tls-ca.pem node person.mjs approve|deny VERIFICATION_URI_COMPLETE
//
// Follows redirects, keeps cookies, and fills in the forms of npm's oidc-provider as they come: confirm the code, sign
// in, consent.  Exit 0 when the last page says that it is done.
const [what, start] = process.argv.slice(2);
const cookies = new Map();

function keepCookies(response) {
  for (const line of response.headers.getSetCookie()) {
    const [pair, ...attributes] = line.split(/; */);
    const at = pair.indexOf('=');
    const over = attributes.some(a => /^expires=Thu, 01 Jan 1970/i.test(a));
    if (over) cookies.delete(pair.slice(0, at));
    else cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

async function ask(url, form) {
  for (let hops = 0; hops < 10; hops++) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET', body: form, redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    keepCookies(response);
    if (response.status < 300 || response.status >= 400)
      return { url, status: response.status, text: await response.text() };
    url = new URL(response.headers.get('location'), url).href;
    form = undefined;
  }
  throw new Error('too many redirects');
}

function attribute(tag, name) {
  return (tag.match(new RegExp(`\\b${name}="([^"]*)"`)) || [])[1];
}

// The page's first form with a method: where it goes, and the fields that are filled in already.
function formOf(page) {
  const html = page.text.match(/<form[^>]*method="post"[\s\S]*?<\/form>/i)?.[0];
  if (!html) return null;
  const fields = new URLSearchParams();
  for (const tag of html.match(/<input[^>]*>/gi) || [])
    if (attribute(tag, 'name')) fields.set(attribute(tag, 'name'), attribute(tag, 'value') || '');
  return { url: new URL(attribute(html, 'action') || page.url, page.url).href, fields };
}

let page = await ask(start);
for (let step = 0; step < 6; step++) {
  const form = formOf(page);
  if (!form) break;
  const prompt = form.fields.get('prompt');
  if (prompt === 'login') {
    form.fields.set('login', 'ada');
    form.fields.set('password', 'any');
  } else if (!prompt) {
    form.fields.delete('abort');
    form.fields.set(what === 'deny' ? 'abort' : 'confirm', 'yes');
  }
  page = await ask(form.url, form.fields);
  if (form.fields.has('abort')) break; // what comes now is the form for another code
}
const said = page.text.replace(/<style[\s\S]*?<\/style>/g, '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim();
console.log(`${page.status} ${said.slice(0, 200)}`);
process.exit(page.status < 400 && /Success|interrupted/i.test(said) ? 0 : 1);
