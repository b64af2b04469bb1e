"use strict";
// validatorUrl: the page asks nobody but its own server.
SwaggerUIBundle({ url: "openapi", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
