/**
 * A browser makes a click only where the button of the mouse went down and came up over the same element. When something
 * appears or goes above it in between, as a banner does when a server dies, the page moves on under the pointer, and the
 * click is lost, in the very moment in which somebody wants to act. So what was pressed is kept here, above all that is
 * drawn anew, and is clicked though it moved, as long as the pointer itself stayed where it was. A finger needs none of
 * that: a tap belongs to where it began.
 */
const pressable = 'button, a[href], summary, label, input[type="checkbox"]';
/** Of a hand that does not mean to drag. */
const tremblePx = 5;

interface Press {
  element: Element;
  x: number;
  y: number;
}

export function keepPresses(): void {
  let pressed: Press | null = null;
  document.addEventListener(
    'pointerdown',
    ({ target, button, pointerType, clientX: x, clientY: y }) => {
      const element = target instanceof Element ? target.closest(pressable) : null;
      pressed = element && button === 0 && pointerType !== 'touch' ? { element, x, y } : null;
    },
    { capture: true },
  );
  document.addEventListener(
    'pointerup',
    ({ target, clientX, clientY }) => {
      const press = pressed;
      pressed = null;
      if (press === null || (target instanceof Node && press.element.contains(target))) return;
      if (Math.hypot(clientX - press.x, clientY - press.y) > tremblePx || !press.element.isConnected) return;
      press.element.dispatchEvent(
        new MouseEvent('click', { bubbles: true, cancelable: true, composed: true }),
      );
    },
    { capture: true },
  );
  document.addEventListener('pointercancel', () => {
    pressed = null;
  });
}
