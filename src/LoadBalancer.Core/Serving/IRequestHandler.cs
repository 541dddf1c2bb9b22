namespace LoadBalancer.Core.Serving;

/// <summary>Answers requests to a <see cref="RequestServer"/>. Called on the thread pool, for many requests at once.</summary>
public interface IRequestHandler
{
    /// <summary>
    /// Answers one request: the status and fields of <paramref name="response"/>, then its body. A body that was written without a flush is sent as a whole when
    /// the task ends; from the first flush on it is streamed. An exception is a bug: it is logged, and answered with 500 where nothing was sent yet.
    /// </summary>
    /// <param name="request">The request, its body included.</param>
    /// <param name="response">The answer.</param>
    /// <param name="aborted">Cancelled when the client is gone, or when the server stops and the body is being streamed.</param>
    Task HandleAsync(ServedRequest request, ServedResponse response, CancellationToken aborted);
}
