/** The doors over HTTP/1.1: what a request may say, what it is answered, and every error in one table. */
@NullMarked
package io.gatun.http;

import org.jspecify.annotations.NullMarked;
