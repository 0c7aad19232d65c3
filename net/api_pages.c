#include "net/api_pages.h"

#include "net/answer.h"

#include <stdio.h>

static enum api_next send_literal(struct api *a, struct api_call *call, const char *content_type,
                                  struct str body)
{
    answer_send(a, call, 200, content_type, body);
    return API_ANSWERED;
}

enum api_next api_pages_live(struct api *a, struct api_call *call)
{
    return send_literal(a, call, "application/json", STR("{\"status\":\"ok\"}"));
}

/* api.md 10.1: the error body, and beside it what a progress bar needs. */
static enum api_next not_ready(struct api *a, struct api_call *call)
{
    bool is_down = a->engine_state == API_ENGINE_IS_DOWN;
    struct api_error error;
    char room[512];
    struct text t;
    (void)api_fail(&error, is_down ? API_ENGINE_DOWN : API_LOADING, NULL,
                   is_down ? "The engine is being restarted." : "The model is loading.");
    error.retry_after_s = 2;
    text_init(&t, room, sizeof room);
    api_error_write(&error, &t);
    t.n_bytes--; /* its closing brace */
    text_fmt(&t, ",\"status\":\"%s\",\"progress\":%.2f,\"phase\":\"weights\"}",
             is_down ? "recovering" : "loading", (double)a->loading_frac);
    answer_fail_body(a, call, &error, text_str(&t));
    return API_ANSWERED;
}

enum api_next api_pages_health(struct api *a, struct api_call *call)
{
    return a->engine_state == API_ENGINE_IS_READY ? api_pages_live(a, call) : not_ready(a, call);
}

enum api_next api_pages_ca_pem(struct api *a, struct api_call *call)
{
    return send_literal(a, call, "application/x-x509-ca-cert", str_of(a->ca.pem));
}

enum api_next api_pages_ca_der(struct api *a, struct api_call *call)
{
    return send_literal(a, call, "application/x-x509-ca-cert",
                        (struct str){(const char *)a->ca.der, a->ca.der_bytes});
}

enum api_next api_pages_setup(struct api *a, struct api_call *call)
{
    char room[6144];
    struct text t;
    const char *name = a->cfg.n_names ? a->cfg.names[0] : "localhost";
    text_init(&t, room, sizeof room);
    text_puts(&t, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta "
                  "name=\"viewport\" content=\"width=device-width\">"
                  "<title>Hearth: trust this box</title><style>body{font:1.1em/1.5 "
                  "sans-serif;max-width:44em;margin:2em auto;"
                  "padding:0 1em}code,pre{background:#eee;color:#111;padding:.1em "
                  ".3em;overflow-wrap:anywhere;white-space:"
                  "pre-wrap}</style><h1>Trust this box</h1><p>Compare this fingerprint with the "
                  "one on the box's own screen or "
                  "in <code>hearth cert show</code>. If they differ, stop: somebody is between you "
                  "and the box.</p><p><code>");
    text_puts(&t, a->ca.fingerprint);
    text_puts(&t,
              "</code></p><p>Then fetch the certificate: <a href=\"/ca.crt\">ca.crt</a> (PEM) or "
              "<a href=\"/ca.der\">ca.der</a>. It is limited to this box's names and to private "
              "addresses.</p>"
              "<h2>Install it</h2><ul><li>Windows: open ca.crt, Install, Local Machine, Trusted "
              "Root Certification "
              "Authorities.</li><li>macOS: open ca.crt in Keychain Access, set it to Always "
              "Trust.</li><li>Linux: copy to "
              "<code>/usr/local/share/ca-certificates/</code>, run "
              "<code>update-ca-certificates</code>.</li><li>iOS: open "
              "ca.crt, install the profile, then switch it on under Certificate Trust "
              "Settings.</li><li>Android: Security, "
              "Install a certificate, CA.</li><li>Firefox: Settings, Certificates, Authorities, "
              "Import.</li></ul>"
              "<h2>Or give it to one program</h2><pre>");
    text_fmt(
        &t,
        "curl --cacert ca.crt -H \"Authorization: Bearer KEY\" https://%s:%u/v1/models\n\n"
        "SSL_CERT_FILE=ca.crt python3 -c 'import openai; "
        "print(openai.OpenAI(base_url=\"https://%s:%u/v1\", "
        "api_key=\"KEY\").models.list())'\n\nNODE_EXTRA_CA_CERTS=ca.crt node app.js</pre></html>\n",
        name, a->cfg.port, name, a->cfg.port);
    return send_literal(a, call, "text/html; charset=utf-8", text_str(&t));
}

enum api_next api_pages_metrics(struct api *a, struct api_call *call)
{
    text_init(&a->scratch, a->scratch.p, a->scratch.room_bytes);
    metrics_print(a->metrics, a, &a->scratch);
    return send_literal(a, call, "text/plain; version=0.0.4; charset=utf-8", text_str(&a->scratch));
}
