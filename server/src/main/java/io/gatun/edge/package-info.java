/** What stands at both doors, whatever the request: certificates, keys of clients, origins of web pages. */
@NullMarked
package io.gatun.edge;

import org.jspecify.annotations.NullMarked;
