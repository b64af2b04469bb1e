package io.gatun.cli;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Texts in, lines of JSON out, in the texts' order. One thread reads, a virtual thread answers each text, the caller's
 * writes; between them is a bounded number of texts, so that any amount of input runs in the same memory.
 */
final class Bulk {
    /** Answers one text. */
    @FunctionalInterface
    interface Answerer {
        String answer(Source.Line line) throws InterruptedException;
    }

    private final Answerer answerer;
    /** Empty: behind the last text. */
    private final BlockingQueue<Optional<CompletableFuture<String>>> answers;

    /** {@code window}: how many texts are between reading and writing, at least 1. */
    Bulk(Answerer answerer, int window) {
        this.answerer = answerer;
        this.answers = new ArrayBlockingQueue<>(window);
    }

    /** Answers all texts of the source, then returns. The first text that is refused ends it. */
    void run(Source source, Output out, Progress progress) throws InterruptedException {
        Thread.ofPlatform().daemon().name("gatun-reader").start(() -> read(source));
        while (true) {
            if (answers.isEmpty()) {
                out.flush();
            }
            Optional<CompletableFuture<String>> answer = answers.take();
            if (answer.isEmpty()) {
                return;
            }
            try {
                out.line(answer.get().join());
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
            progress.answered(source);
        }
    }

    private void read(Source source) {
        try {
            try {
                for (Source.Line line = source.next(); line != null; line = source.next()) {
                    answers.put(Optional.of(submit(line)));
                }
                answers.put(Optional.empty());
            } catch (IOException e) {
                answers.put(failed(new CommandException("The texts cannot be read: " + e.getMessage() + ".", e)));
            } catch (RuntimeException e) {
                answers.put(failed(e));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Optional<CompletableFuture<String>> failed(RuntimeException e) {
        return Optional.of(CompletableFuture.failedFuture(e));
    }

    private CompletableFuture<String> submit(Source.Line line) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                answer.complete(answerer.answer(line));
            } catch (Throwable e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }
}
