import { Component, type ReactNode } from 'react';
import { Alert } from './card.tsx';

/**
 * What can't be drawn costs its own place and not the whole page: an agent of another release may say what this page was
 * not made for.
 */
export class Guard extends Component<{ children: ReactNode }, { why: string | null }> {
  override state: { why: string | null } = { why: null };

  static getDerivedStateFromError(error: unknown): { why: string } {
    return { why: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { why } = this.state;
    if (why === null) return this.props.children;
    return (
      <Alert title="This can’t be shown">
        <p>The agent says what this page does not understand ({why}): it may be of another release.</p>
        <div className="row">
          <button type="button" onClick={() => this.setState({ why: null })}>
            Try again
          </button>
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </div>
      </Alert>
    );
  }
}
