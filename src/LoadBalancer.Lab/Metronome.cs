namespace LoadBalancer.Lab;

/// <summary>Calls something each millisecond, or as near to that as the system's timers come, on a thread of its own.</summary>
internal sealed class Metronome : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _isOver;

    internal Metronome(Action beat)
    {
        _thread = new Thread(() =>
        {
            while (!_isOver)
            {
                beat();
                Thread.Sleep(1);
            }
        }) { IsBackground = true, Name = "lab metronome" };
        _thread.Start();
    }

    public void Dispose()
    {
        _isOver = true;
        _thread.Join();
    }
}
