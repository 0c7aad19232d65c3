/* api_pages: what needs no key: health, the CA certificate, the set-up page; and the model list,
 * which does. Thread: edge. Allocates: chain blocks only. */
#ifndef NET_API_PAGES_H
#define NET_API_PAGES_H

#include "net/api.h"

enum api_next api_pages_health(struct api *a, struct api_call *call); /* also /health/ready */
enum api_next api_pages_live(struct api *a, struct api_call *call);
enum api_next api_pages_ca_pem(struct api *a, struct api_call *call);
enum api_next api_pages_ca_der(struct api *a, struct api_call *call);
enum api_next api_pages_setup(struct api *a, struct api_call *call);
enum api_next api_pages_metrics(struct api *a, struct api_call *call);

#endif
