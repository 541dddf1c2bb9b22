using System.Net;
using LoadBalancer.Core.Serving;
using LoadBalancer.Http;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Rehearsal;

/// <summary>Stands for all destinations of a cluster: answers what it was told to, and notes what it was asked.</summary>
internal sealed class FakeDestination : IRequestHandler, IAsyncDisposable
{
    private readonly string _cluster;
    private readonly Action<FakeRequest> _asked;
    private readonly RequestServer _server;
    private IReadOnlyList<FakeAnswer> _answers = [];
    private int _given;

    internal FakeDestination(string cluster, Action<FakeRequest> asked, ILogger logger)
    {
        _cluster = cluster;
        _asked = asked;
        _server = new RequestServer(this, new RequestServerOptions
        {
            Name = cluster, Address = "127.0.0.1:0", BodyBytesMax = 64 << 20, HeadLimits = new HeadLimits(64 * 1024, 192 * 1024, 600),
        }, logger);
    }

    internal string Address => $"127.0.0.1:{((IPEndPoint)_server.EndPoint!).Port}";

    internal Task StartAsync() => _server.StartAsync();

    /// <summary>What it answers from now on: each once, the last again and again.</summary>
    internal void Answers(IReadOnlyList<FakeAnswer> answers)
    {
        _answers = answers;
        _given = 0;
    }

    public Task HandleAsync(ServedRequest request, ServedResponse response, CancellationToken aborted)
    {
        _asked(new FakeRequest(_cluster, request.Method, request.Path + request.Query, request.Fields, request.Body.ToArray()));
        int index = Math.Min(Interlocked.Increment(ref _given) - 1, _answers.Count - 1);
        FakeAnswer answer = index < 0 ? FakeAnswer.Default : _answers[index];
        response.Status = answer.Status;
        foreach ((string name, string value) in answer.Headers) response.AddField(name, value);
        return answer.Body.Length == 0 ? Task.CompletedTask : response.Body.WriteAsync(answer.Body, aborted).AsTask();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
