namespace LoadBalancer.Edge.Commands;

/// <summary>How much is done, on standard error when that is a terminal; else nothing. Disposing takes it away.</summary>
internal sealed class ProgressBar : IDisposable
{
    private const int Width = 40;
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private int _shown = -1;

    internal void Show(double part)
    {
        int percent = (int)(100 * Math.Clamp(part, 0, 1));
        if (!_isTerminal || percent == _shown) return;
        _shown = percent;
        int filled = Width * percent / 100;
        Console.Error.Write($"\r[{new string('#', filled)}{new string('.', Width - filled)}] {percent,3} %");
    }

    public void Dispose()
    {
        if (_shown >= 0) Console.Error.Write($"\r{new string(' ', Width + 8)}\r");
    }
}
