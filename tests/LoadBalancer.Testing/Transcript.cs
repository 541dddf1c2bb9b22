using System.Text;

namespace LoadBalancer.Testing;

/// <summary>What a program says on both its outputs.</summary>
internal sealed class Transcript
{
    private readonly StringBuilder _text = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal async Task AppendAsync(StreamReader reader, CancellationToken token)
    {
        char[] some = new char[4096];
        for (int read; (read = await reader.ReadAsync(some, token)) > 0;)
        {
            lock (_text) _text.Append(some, 0, read);
            Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    internal async Task WaitForAsync(string mark, CancellationToken token, int times = 1)
    {
        while (true)
        {
            Task changed = Volatile.Read(ref _changed).Task;
            if (mark.Length == 0 || ToString().Split(mark).Length > times) return;
            await changed.WaitAsync(token);
        }
    }

    public override string ToString()
    {
        lock (_text) return _text.ToString();
    }
}
