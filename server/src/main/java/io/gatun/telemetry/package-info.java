/** What is told of requests once they are answered: log lines and traces. Texts and keys are in neither. */
@NullMarked
package io.gatun.telemetry;

import org.jspecify.annotations.NullMarked;
